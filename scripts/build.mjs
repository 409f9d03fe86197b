// `npm run build`: src/ -> dist/.
import { explain } from './setup/error.mjs';
import { build } from './setup/build.mjs';
import { createProgress } from './setup/progress.mjs';

try {
  await createProgress().step('build', (report) => build({ report }));
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}
