import { ActorError } from '#troupe/actors/kernel/errors.js';
import type { Handlers, Protocol, Ref } from '#troupe/actors/kernel/protocol.js';

interface Target<P extends Protocol> {
  readonly tell?: Partial<Handlers<P>['tell']>;
  readonly ask?: Partial<Handlers<P>['ask']>;
  /** False: its mailbox is full, and what it is told is refused. */
  readonly takes?: () => boolean;
}

/** A ref to a few functions instead of an actor; it is always up. */
export function refTo<P extends Protocol>({ tell, ask, takes = () => true }: Target<P>): Ref<P> {
  const call = { from: 'test', signal: new AbortController().signal, transfer: () => undefined };
  return {
    id: 'target',
    up: true,
    tell(kind, payload) {
      if (!takes()) return false;
      tell?.[kind]?.(payload, 'test');
      return true;
    },
    async ask(kind, request) {
      const answer = ask?.[kind];
      if (answer === undefined) throw new ActorError('UNKNOWN_MESSAGE', kind);
      return answer(request, call);
    },
    onChange(listener) {
      listener(true, 1);
      return () => undefined;
    },
  };
}
