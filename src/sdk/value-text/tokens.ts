const DELIMITERS = new Set([':', ',', '{', '}', '[', ']', '"']);

/**
 * A text cut at the delimiters `: , { } [ ] "` that no backslash stands before; each of them is a token of its own. Cut as Kafka
 * Connect's Values does, blanks included: what a text means depends on it.
 */
export class Tokens {
  readonly text: string;
  #at = 0;
  /** Looked at, and not taken yet. */
  #ahead: string | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get hasNext(): boolean {
    return this.#ahead !== null || this.#hasMore;
  }

  get #hasMore(): boolean {
    return this.#at < this.text.length;
  }

  /** Where the next token starts. */
  mark(): number {
    return this.#at - (this.#ahead?.length ?? 0);
  }

  rewindTo(mark: number): void {
    this.#at = mark;
    this.#ahead = null;
  }

  rest(): string {
    return this.text.slice(this.mark());
  }

  next(): string {
    const token = this.#ahead ?? this.#cut();
    this.#ahead = null;
    return token;
  }

  /** So many tokens as one text; null, and nothing taken, where there are fewer. */
  nextJoined(count: number): string | null {
    const start = this.mark();
    for (let i = 0; i < count; i += 1) {
      if (!this.hasNext) {
        this.rewindTo(start);
        return null;
      }
      this.next();
    }
    return this.text.slice(start, this.#at);
  }

  /** Takes the next token if it is this one, blanks around it apart. Blank tokens before it are gone either way. */
  take(wanted: string): boolean {
    if (this.#ahead === null) {
      if (!this.#hasMore) return false;
      this.#ahead = this.#cut();
    }
    while (isBlank(this.#ahead) && this.#hasMore) this.#ahead = this.#cut();
    if (trimmed(this.#ahead) !== wanted) return false;
    this.#ahead = null;
    return true;
  }

  #cut(): string {
    const { text } = this;
    const start = this.#at;
    let escaped = false;
    while (this.#at < text.length) {
      const char = text.charAt(this.#at);
      if (!escaped && DELIMITERS.has(char)) {
        if (start === this.#at) this.#at += 1;
        return text.slice(start, this.#at);
      }
      escaped = char === '\\' && !escaped;
      this.#at += 1;
    }
    return text.slice(start);
  }
}

/** As Java's `String.trim`: what is no larger than a space. */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 0x20) start += 1;
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end -= 1;
  return text.slice(start, end);
}

export function isBlank(text: string): boolean {
  return trimmed(text) === '';
}
