// A program that trains and predicts with Shoal, as the environment says traced or not: [project file, address]. Says what it was answered.
const { Shoal } = require('../../dist/client');
const { embeddedEndpoint } = require('../../dist/client/connect');
const { loadProject } = require('../../dist/config');

(async () => {
  const [, , projectFile, address] = process.argv;
  const project = await loadProject(projectFile, process.env);
  const shoal = await Shoal.connect({ projectFile, project, endpoint: embeddedEndpoint(project, { address }) });
  const { models } = await shoal.settled(await shoal.train());
  const { outputs } = await shoal.predict('flats', [{ size: 80, city: 'Bern', built: '1990-06-01', note: 'bright quiet flat' }], { id: process.env.REQUEST_ID });
  await shoal.predict('flats', [{ size: 'large' }]).catch(() => undefined);
  await shoal.close();
  const loaded = Object.keys(require.cache).filter((file) => file.includes('opentelemetry')).length;
  process.stdout.write(JSON.stringify({ runs: models.map((m) => m.runs[0].status), outputs, loaded }), () => process.exit(0));
})().catch((error) => { console.error(error); process.exit(1); });
