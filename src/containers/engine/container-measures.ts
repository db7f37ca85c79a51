// What the kernel counts of a container: cgroup v2 (Documentation/admin-guide/cgroup-v2.rst) and proc(5).
import { AgentError } from './agent-error.ts';
import type { Container } from './container.ts';
import { type ContainerRuntime, placesOf } from './container-runtime.ts';
import type { ContainerStatsSample, TopResult } from './engine-types.ts';

const MICROSECOND = 1000;
/** Of the times in /proc: CONFIG_HZ does not matter to them. */
const TICKS_PER_SECOND = 100;
const TITLES = ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'];

/** Processes of a container as `ps -ef` has them, with the container host's numbers for them. */
export async function listProcesses({ id }: Container, runtime: ContainerRuntime): Promise<TopResult> {
  const { agent } = runtime.host;
  const ids = (await agent.readText(`${placesOf(id).cgroup}/cgroup.procs`)).trim().split('\n');
  const uptime = Number((await agent.readText('/proc/uptime')).split(' ')[0]);
  const rows = await Promise.all(
    ids.map(async (process) => {
      try {
        const [stat, status, command] = await Promise.all(
          ['stat', 'status', 'cmdline'].map((file) => agent.readText(`/proc/${process}/${file}`)),
        );
        return describeProcess(stat!, status!, command!, uptime);
      } catch (error) {
        // It has ended meanwhile.
        if (error instanceof AgentError) return undefined;
        throw error;
      }
    }),
  );
  return { Titles: TITLES, Processes: rows.filter((row) => row !== undefined) };
}

function describeProcess(stat: string, status: string, command: string, uptime: number): string[] {
  // The name in parentheses may hold anything.
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  const seconds = Math.floor((field(14) + field(15)) / TICKS_PER_SECOND);
  const started = new Date(Date.now() - (uptime - field(22) / TICKS_PER_SECOND) * 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  const tty = field(7);
  return [
    /^Uid:\s+(\d+)/m.exec(status)?.[1] ?? '?',
    stat.slice(0, stat.indexOf(' ')),
    fields[1] ?? '0',
    '0',
    `${two(started.getHours())}:${two(started.getMinutes())}`,
    tty === 0 ? '?' : `pts/${tty & 0xff}`,
    `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`,
    command.split('\0').join(' ').trim() || `[${name}]`,
  ];
}

/** What a running container uses. */
export async function containerStats(
  { id, name, state }: Container,
  runtime: ContainerRuntime,
  before?: ContainerStatsSample,
): Promise<ContainerStatsSample> {
  const { agent } = runtime.host;
  const { cgroup } = placesOf(id);
  const read = (path: string) => agent.readText(path).catch(() => '');
  const [cpu, current, memory, limit, pids, io, network, host] = await Promise.all([
    ...['cpu.stat', 'memory.current', 'memory.stat', 'memory.max', 'pids.current', 'io.stat'].map((file) =>
      read(`${cgroup}/${file}`),
    ),
    read(`/proc/${state.Pid}/net/dev`),
    read('/proc/meminfo'),
  ]);
  const time = Date.now();
  const cpuUsage = figure(cpu!, 'usage_usec') * MICROSECOND;
  const since = before === undefined ? 0 : (time - before.time) * MICROSECOND * MICROSECOND;
  const total = figure(host!, 'MemTotal:') * 1024;
  const traffic = network!.split('\n').flatMap((line) => {
    const [device, rest] = line.split(':');
    if (rest === undefined || device!.trim() === 'lo') return [];
    const counts = rest.trim().split(/\s+/).map(Number);
    return [{ received: counts[0] ?? 0, sent: counts[8] ?? 0 }];
  });
  return {
    id,
    name,
    time,
    cpuUsage,
    cpu: since > 0 ? Math.max(0, cpuUsage - before!.cpuUsage) / since : 0,
    memoryUsage: Math.max(0, Number(current) - figure(memory!, 'inactive_file')),
    memoryLimit: Number.isFinite(Number.parseInt(limit!, 10)) ? Number.parseInt(limit!, 10) : total,
    networkReceived: sum(traffic.map(({ received }) => received)),
    networkSent: sum(traffic.map(({ sent }) => sent)),
    blockRead: sum([...io!.matchAll(/rbytes=(\d+)/g)].map((match) => Number(match[1]))),
    blockWritten: sum([...io!.matchAll(/wbytes=(\d+)/g)].map((match) => Number(match[1]))),
    pids: Number(pids),
  };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** The number behind a name at the beginning of a line. */
function figure(text: string, name: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? 0 : Number.parseInt(line.slice(name.length), 10);
}
