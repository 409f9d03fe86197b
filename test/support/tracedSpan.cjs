// A program that makes one span, as the environment says it is sent. Says which exporters were loaded, and what it was warned of.
const { tracingFrom } = require('../../dist/observe');

(async () => {
  const said = [];
  const tracing = tracingFrom(process.env, { service: 'probe', warn: (message) => said.push(message) });
  await tracing.around('sent', { 'shoal.chain': 'flats' }, async () => undefined);
  await tracing.flush();
  const loaded = ['grpc', 'http', 'proto'].filter((of) => Object.keys(require.cache).some((file) => file.includes(`exporter-trace-otlp-${of}/`)));
  process.stdout.write(JSON.stringify({ loaded, said }), () => process.exit(0));
})().catch((error) => { console.error(error); process.exit(1); });
