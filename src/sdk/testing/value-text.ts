/** As JSON, also of what JSON has no form for: whole numbers beyond 2^53, and maps. Equal values have equal texts. */
export function valueText(value: unknown): string {
  return (
    JSON.stringify(value, (_, item: unknown) =>
      typeof item === 'bigint'
        ? `${item}n`
        : item instanceof Map
          ? [...(item as Map<unknown, unknown>)]
          : item,
    ) ?? 'undefined'
  );
}
