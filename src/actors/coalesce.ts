/** Runs `action` soon after a call, once for all calls within `ms`. */
export function coalesce(ms: number, action: () => void): () => void {
  let timer: NodeJS.Timeout | null = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      action();
    }, ms);
  };
}
