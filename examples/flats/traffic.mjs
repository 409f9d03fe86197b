// Asks the chain `flats` for the rents of flats, a few at once, and afterwards tells it what they were: `node traffic.mjs flats-2025.csv 300`.
import { readRows, Shoal } from 'shoal';

const [file = 'flats-2025.csv', count = '300'] = process.argv.slice(2);
const AT_ONCE = 5;

const shoal = await Shoal.connect({ projectFile: 'temporal.yaml' });
const rows = (await readRows(file)).slice(0, Number(count));
const answeredBy = {};
for (let i = 0; i < rows.length; i += AT_ONCE) {
  await Promise.all(rows.slice(i, i + AT_ONCE).map(async ({ rent: _unknown, ...asked }) => {
    const { release } = await shoal.predict('flats', [asked]);
    answeredBy[`release ${release}`] = (answeredBy[`release ${release}`] ?? 0) + 1;
  }));
}
await shoal.recordOutcomes('flats', rows.map(({ id, rent }) => ({ key: String(id), value: rent })));
console.log(`${rows.length} requests answered, their outcomes recorded:`, answeredBy);
await shoal.close();
