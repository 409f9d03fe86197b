/** The parts of a table's name such as `public.sales`, each as it is; one that has a dot itself stands in quotes. Undefined of what is no name. */
export function tableNameParts(table: string): string[] | undefined {
  if (!/^("([^"]|"")+"|[^."]+)(\.("([^"]|"")+"|[^."]+))?$/.test(table)) return undefined;
  return [...table.matchAll(/"((?:[^"]|"")+)"|[^."]+/g)].map(([part, quoted]) => quoted?.replaceAll('""', '"') ?? part);
}
