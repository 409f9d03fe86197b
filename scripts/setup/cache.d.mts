export function ensureEntry(entry: {
  name: string;
  megabytes: number;
  fill: (folder: string) => Promise<void>;
  report: (text: string) => void;
}): Promise<string>;
export function findEntry(name: string): Promise<string | undefined>;
export function removeIfCorrupt(folder: string): Promise<boolean>;
