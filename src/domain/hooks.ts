import type { EventType, HookName } from './events';

/** Who is told of events, by a signed request or by a command. Only workers know it in full: workflows know its name. */
export interface HookBase { name: string; events: EventType[]; timeoutMs: number }
export interface WebhookSpec extends HookBase {
  kind: 'webhook';
  url: string;
  /** `whsec_` and 24 to 64 bytes in base64. */
  secret: string;
  headers: Record<string, string>;
}
export interface CommandHookSpec extends HookBase {
  kind: 'command';
  /** The program and its arguments; no shell reads them. */
  command: string[];
  /** Where it runs: the project's folder, absolute. */
  folder: string;
}
export type HookSpec = WebhookSpec | CommandHookSpec;
export type Hooks = Record<string, HookSpec>;

export const SECRET_PREFIX = 'whsec_';
export const MAX_HOOK_TIMEOUT_MS = 5 * 60_000;

/** All that workflows know of them; nothing when there are none. */
export function hookNames(hooks: Hooks | undefined): HookName[] | undefined {
  const all = Object.values(hooks ?? {});
  return all.length > 0 ? all.map(({ name, events }) => ({ name, events })) : undefined;
}

export const HIDDEN = '***';

/** As it may be shown: without what opens anything. An address may have a key in its path or its query. */
export const shownHook = (hook: HookSpec): HookSpec => (hook.kind === 'command'
  ? { ...hook, command: hook.command.slice(0, 1).concat(hook.command.length > 1 ? [HIDDEN] : []) }
  : { ...hook, url: `${new URL(hook.url).origin}/${HIDDEN}`, secret: HIDDEN, headers: Object.fromEntries(Object.keys(hook.headers).map((name) => [name, HIDDEN])) });

/** A project as it may be shown. */
export const shownProject = <P extends { hooks?: Hooks }>(project: P): P =>
  (project.hooks ? { ...project, hooks: Object.fromEntries(Object.entries(project.hooks).map(([name, hook]) => [name, shownHook(hook)])) } : project);

/** A text without the hook's secrets, wherever they stand in it. */
export function withoutSecrets(text: string, hook: HookSpec): string {
  const secrets = hook.kind === 'command' ? hook.command.slice(1).filter((argument) => argument.length >= MIN_SECRET) : [hook.secret, hook.secret.slice(SECRET_PREFIX.length), hook.url, ...Object.values(hook.headers)];
  return secrets.filter((secret) => secret !== '').sort((a, b) => b.length - a.length).reduce((left, secret) => left.replaceAll(secret, HIDDEN), text);
}

/** A shorter argument is a switch or a name. */
const MIN_SECRET = 12;
