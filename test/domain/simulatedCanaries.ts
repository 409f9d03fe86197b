import { random } from '../../src/domain/random';
import { simulate, type Ending, type Judge, type Route, type World } from './simulatedCanary';

const ROUTE: Route = { shadow: 600, steps: [0.05, 0.25, 0.5], requests: 20, lookEvery: 25, cap: 1600 };

export interface Scenario { name: string; world: World; output?: 'number' | 'class'; /** Requests without a verdict after which it ends, ROUTE's otherwise. */ cap?: number }

export interface Played extends Record<Ending, number> { name: string; requests: number; cap: number }

export function play({ name, world, cap = ROUTE.cap }: Scenario, judge: () => Judge, canaries: number): Played {
  const next = random(20_241);
  const played = { name, cap, promoted: 0, 'rolled back': 0, inconclusive: 0, requests: 0 };
  for (let i = 0; i < canaries; i++) {
    const { ending, requests } = simulate(world, { ...ROUTE, cap }, judge(), next);
    played[ending]++;
    played.requests += requests / canaries;
  }
  return played;
}

export function printed(played: Played[], canaries: number): string {
  const head = ['scenario', 'promoted', 'rolled back', 'inconclusive', 'requests to a verdict'];
  const rows = played.map((p) => [`${p.name}${p.cap < ROUTE.cap ? ' *' : ''}`, p.promoted, p['rolled back'], p.inconclusive, Math.round(p.requests)].map(String));
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[]): string => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  const title = `${canaries} canaries each; inconclusive: no verdict after ${ROUTE.cap.toLocaleString('en-US')} requests (*: after fewer)`;
  return `\n${[title, line(head), ...rows.map(line)].join('\n')}\n\n`;
}
