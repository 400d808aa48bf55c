/**
 * A package may carry a copy of this module of its own, whose classes `instanceof` would not know: it goes by a mark
 * that all copies share. For classes whose objects cross between packages. What extends such a class is told as usual.
 */
export function sharedBetweenCopies(type: abstract new (...args: never[]) => object, name: string): void {
  const mark = Symbol.for(`troupe.sdk.${name}`);
  const usual: unknown = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(type.prototype, mark, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this === type) return typeof value === 'object' && value !== null && mark in value;
      return typeof usual === 'function' && Reflect.apply(usual, this, [value]) === true;
    },
  });
}
