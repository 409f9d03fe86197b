import { execFileSync } from 'node:child_process';

/** Ids of the training processes that a process (this one by default) has started and that still run. */
export function trainingProcesses(parent = process.pid): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, ppid, state, args] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return Number(ppid) === parent && !state!.startsWith('Z') && args!.includes('trainingProcess.js') ? [Number(pid)] : [];
  });
}
