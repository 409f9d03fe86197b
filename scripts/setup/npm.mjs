import { run } from './run.mjs';

/** Installs exactly what the lock file says, without running anything of the packages. */
export async function npmCi(folder, report) {
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  report('npm ci');
  await run(npm[0], [...npm.slice(1), 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--omit-lockfile-registry-resolved'], {
    name: 'npm ci',
    cwd: folder,
    env: ownEnvironment(),
    seconds: 900,
    remedy: 'Packages come from npm: check that `npm ping` reaches it.',
  });
}

/** Without what an enclosing `npm start` says about its own project; the user's settings (npm_config_...) stay. */
function ownEnvironment() {
  const foreign = /^(npm_package_|npm_lifecycle_|npm_config_local_prefix$|npm_config_prefix$|npm_command$|INIT_CWD$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}
