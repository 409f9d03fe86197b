import { parse, stringify } from 'yaml';
import { blocksOf, isExcused, shown, textOf, type Block } from './pages';

/** The projects that parts on the pages belong to. */
const BASES: Record<string, () => unknown> = {
  flats: () => parse(blocksOf('README.md').find(({ language }) => language === 'yaml')!.text),
  'box-office': () => parse(textOf('temporal.yaml')),
};

const PART = /^part of ([\w-]+)(?:: ([\w.-]+))?$/;
type Mapping = Record<string, unknown>;
const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Mappings are merged; anything else takes the place of what there was. */
function merged(base: unknown, more: unknown): unknown {
  if (!isMapping(base) || !isMapping(more)) return more;
  return { ...base, ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, merged(base[key], value)])) };
}

const placedAt = (at: string | undefined, part: unknown): unknown => (at ?? '').split('.').filter(Boolean).reduceRight<unknown>((inner, key) => ({ [key]: inner }), part);

/** The project that a block of YAML is, or is part of, as text. */
export function projectOf(block: Block): string {
  const part = PART.exec(block.marker ?? '');
  if (!part) {
    const whole = parse(block.text) as unknown;
    if (isMapping(whole) && 'models' in whole && 'sources' in whole) return block.text;
    throw new Error(`${shown(block)} is neither a whole project nor marked as part of one: see test/docs/pages.ts.`);
  }
  return stringify(withPart(BASES[part[1]!]?.(), block));
}

function withPart(base: unknown, block: Block): unknown {
  const [, project, at] = PART.exec(block.marker ?? '') ?? [];
  if (!base) throw new Error(`${shown(block)}: there is no project ${project}; there are ${Object.keys(BASES).join(' and ')}.`);
  return merged(base, placedAt(at, parse(block.text)));
}

/** The README's project with all that pages add to it, in order. */
export function projectOfPages(pages: string[]): unknown {
  const parts = pages.flatMap(blocksOf).filter((block) => block.language === 'yaml' && !isExcused(block) && block.marker?.startsWith('part of flats'));
  return parts.reduce(withPart, BASES.flats!());
}
