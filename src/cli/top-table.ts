import type { MachineStatus } from './control-protocol.ts';

/** Bytes in binary units with three digits at most: `1.5M`, `128M`, `0B`. */
export function shortBytes(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}${units[unit]}`;
}

const COLUMNS: readonly { title: string; left?: boolean; of: (machine: MachineStatus) => string }[] = [
  { title: 'NAME', left: true, of: ({ name }) => plain(name) },
  { title: 'PID', of: ({ pid }) => String(pid) },
  { title: 'STATE', left: true, of: ({ state }) => state },
  { title: 'CPU %', of: ({ stats }) => (stats.cpu * 100).toFixed(1) },
  {
    title: 'LIMIT',
    of: ({ limits }) => (limits.cpus === 1 ? '-' : `${((limits.cpus ?? 1) * 100).toFixed(0)}`),
  },
  { title: 'MIPS', of: ({ stats }) => stats.mips.toFixed(0) },
  {
    title: 'MEM / RAM',
    of: ({ stats }) => `${shortBytes(stats.residentBytes)} / ${shortBytes(stats.memory)}`,
  },
  { title: 'CODE', of: ({ stats }) => shortBytes(stats.codeBytes) },
  {
    title: 'DISK R/W /s',
    of: ({ stats }) => `${shortBytes(stats.driveReadRate)} / ${shortBytes(stats.driveWriteRate)}`,
  },
  {
    title: 'NET I/O /s',
    of: ({ stats }) => `${shortBytes(stats.receiveRate)} / ${shortBytes(stats.transmitRate)}`,
  },
  { title: 'EXITS mmio/sbi/wfi', of: ({ stats }) => `${stats.mmio}/${stats.sbiCalls}/${stats.wfiExits}` },
  { title: 'TIME', of: ({ stats }) => duration(stats.elapsedMs) },
  {
    title: 'LEASE',
    of: ({ leaseRemainingMs }) => (leaseRemainingMs === undefined ? '-' : duration(leaseRemainingMs)),
  },
];

/** A table of machines, a line each, cut to `width` columns where that is known. */
export function formatTable(machines: readonly MachineStatus[], width = Infinity): string {
  const rows = [
    COLUMNS.map(({ title }) => title),
    ...machines.map((machine) => COLUMNS.map(({ of }) => of(machine))),
  ];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          COLUMNS[column]!.left === true ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  ')
        .trimEnd()
        .slice(0, width),
    )
    .join('\n')
    .concat('\n');
}

/** A name is whatever its machine was given: nothing of it may move the cursor. */
function plain(name: string): string {
  return name.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?').slice(0, 24);
}

/** `45s`, `12m05s`, `3h20m`. */
function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}m${two(seconds % 60)}s`
    : `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
}
