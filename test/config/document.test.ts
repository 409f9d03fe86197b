import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage, jsonSchema } from '../../src/config/document';

const root = join(__dirname, '../..');

test.each([
  ['temporal.schema.json', () => `${JSON.stringify(jsonSchema(), null, 2)}\n`],
  ['docs/configuration.md', configurationPage],
])('%s is what the schemas say (`npm run document` writes it)', (file, make) => {
  expect(readFileSync(join(root, file), 'utf8')).toBe(make());
});

type Node = { [key: string]: unknown };
function nodes(node: unknown, path = ''): { path: string; node: Node }[] {
  if (typeof node !== 'object' || node === null) return [];
  const here = Array.isArray(node) ? [] : [{ path, node: node as Node }];
  return [...here, ...Object.entries(node).flatMap(([key, child]) => nodes(child, `${path}/${key}`))];
}

test('every setting is described', () => {
  const settings = nodes(jsonSchema()).flatMap(({ path, node }) =>
    Object.entries((node.properties as Record<string, Node> | undefined) ?? {}).map(([name, setting]) => ({ path: `${path}/${name}`, setting })));
  expect(settings.length).toBeGreaterThan(100);
  expect(settings.filter(({ setting }) => !setting.description).map(({ path }) => path)).toEqual([]);
});

test('editors can complete the tasks, frequencies and metrics, and refuse unknown keys', () => {
  const text = JSON.stringify(jsonSchema());
  for (const value of ['"regression"', '"quarter"', '"recall@10"', '"log10"']) expect(text).toContain(value);
  expect(nodes(jsonSchema()).filter(({ node }) => node.type === 'object' && node.properties && node.additionalProperties !== false)).toEqual([]);
});
