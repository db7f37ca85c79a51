// What the comparison says, in the page's languages.
const english = {
  title: 'VM beside container',
  intro:
    'The same program, from the same image and on the same kernel: as a virtual machine of its own, and as a container. Measured here and now.',
  start: 'Compare',
  stop: 'Stop',
  program: 'Program',
  as: 'As',
  columns: {
    startMs: 'Start, ms',
    startInstructions: 'Start, M instr.',
    runMs: 'Run, ms',
    runInstructions: 'Run, M instr.',
    runCpuMs: 'Run, CPU ms',
    memoryBytes: 'Memory, MB',
    diskBytes: 'Disk, MB',
    fitInGiB: 'Fit into 1 GiB',
  },
  vm: 'VM',
  container: 'container',
  ratio: 'container / VM',
  running: (program: string, side: string, run: number, runs: number) =>
    `${program} as ${side}, ${run} of ${runs} …`,
  preparing: 'Starting the container host …',
  host: (start: string, memory: string, idle: string) =>
    `A VM starts from nothing, a container in a container host that runs; that took ${start} ms to start and has ${memory} MB of memory, once for all containers. A container that only waits takes ${idle} MB.`,
  runs: (count: number) => (count === 1 ? 'One run of each.' : `Medians of ${count} runs.`),
  stopped: 'Stopped.',
  failed: (why: string) => `The comparison failed: ${why}`,
} as const;

type Words<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => string
    ? (...args: A) => string
    : T[K] extends string
      ? string
      : Words<T[K]>;
};
export type CompareStrings = Words<typeof english>;

const chinese: CompareStrings = {
  title: '虚拟机与容器',
  intro: '同一程序、同一镜像、同一内核：作为独立虚拟机，与作为容器。在此时此地测量。',
  start: '比较',
  stop: '停止',
  program: '程序',
  as: '方式',
  columns: {
    startMs: '启动，毫秒',
    startInstructions: '启动，百万条指令',
    runMs: '运行，毫秒',
    runInstructions: '运行，百万条指令',
    runCpuMs: '运行，CPU 毫秒',
    memoryBytes: '内存，MB',
    diskBytes: '磁盘，MB',
    fitInGiB: '1 GiB 可容纳',
  },
  vm: '虚拟机',
  container: '容器',
  ratio: '容器 / 虚拟机',
  running: (program, side, run, runs) => `${program}：${side}，第 ${run} 次，共 ${runs} 次…`,
  preparing: '正在启动容器主机…',
  host: (start, memory, idle) =>
    `虚拟机从零启动，容器在运行中的容器主机里启动；后者启动用了 ${start} 毫秒，占内存 ${memory} MB，所有容器共用一次。只在等待的容器占 ${idle} MB。`,
  runs: (count) => (count === 1 ? '各运行一次。' : `${count} 次运行的中位数。`),
  stopped: '已停止。',
  failed: (why) => `比较失败：${why}`,
};

/** The strings of a language (a BCP 47 tag); English where there are none of it. */
export function compareStrings(language: string = document.documentElement.lang): CompareStrings {
  return /^zh\b/i.test(language) ? chinese : english;
}
