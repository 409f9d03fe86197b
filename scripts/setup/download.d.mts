export function reachable(url: string, seconds?: number): Promise<boolean>;
export function download(
  url: string,
  path: string,
  options: { sha256: string; report: (text: string) => void; seconds?: number; stallSeconds?: number },
): Promise<void>;
export function checkFile(path: string, expected: string, source: string): Promise<void>;
