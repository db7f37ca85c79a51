// Runs the same program, of the same image, as a VM of its own and as a container, and measures both.
import { waitForPrompt } from '../../hypervisor/prompt.ts';
import type { VirtualMachine, VmStats } from '../../hypervisor/types.ts';
import { ImageStoreError } from '../images/image-store-error.ts';
import type { ImageRootfs } from '../images/types.ts';
import { COMPARE_PROGRAMS } from './compare-programs.ts';
import {
  type ComparedProgram,
  CompareError,
  type CompareOptions,
  type CompareProgram,
  type Comparison,
  type HostFigures,
  type SideFigures,
} from './compare-types.ts';
import { measuredScript, SideDialogue } from './side-dialogue.ts';

/** The machine that a program has to itself: Debian's kernel, as the container host has it, and BusyBox. */
const GUEST = 'busybox';
const HOST_GUEST = 'container-host';
const GIB = 2 ** 30;
const RUNS = 3;
const RUNS_MAX = 99;
const BOOT_MS = 180_000;
/** Less than this nothing takes: the kernel's own page. */
const PAGE = 4096;
/** Containers that wait at once when what one takes is measured. */
const IDLE_CONTAINERS = 8;

/**
 * Compares programs; each run boots a machine, and ends it again.
 * @throws {CompareError} {ImageStoreError} {GuestError} when something that it needs is not there, or does not work
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const runs = options.runs ?? RUNS;
  if (!Number.isInteger(runs) || runs < 1 || runs > RUNS_MAX) {
    throw new CompareError(`${runs} runs cannot be: give 1 to ${RUNS_MAX}`);
  }
  const programs = chosen(options.programs);
  const bytesOf = async (guest: string) => (await options.guestBytes?.(guest)) ?? 0;
  const [guestBytes, hostBytes] = await Promise.all([bytesOf(GUEST), bytesOf(HOST_GUEST)]);
  // What is not here is fetched before anything is measured.
  const images = new Map<string, ImageRootfs>();
  for (const { image } of programs) {
    if (!images.has(image)) images.set(image, await findImage(options, image));
  }
  const start = performance.now();
  await options.engine.host();
  const startMs = performance.now() - start;
  const memoryBytes = await usedInHost(options);
  const idle = await measureIdle(options, programs[0]!.image);
  const host: HostFigures = { startMs, memoryBytes, diskBytes: hostBytes, idleContainerBytes: idle.bytes };
  const compared: ComparedProgram[] = [];
  for (const program of programs) {
    const image = images.get(program.image)!;
    const { Size: imageBytes } = await options.images.inspect(program.image);
    const sides: Record<'vm' | 'container', SideFigures[]> = { vm: [], container: [] };
    for (let run = 1; run <= runs; run++) {
      for (const side of ['vm', 'container'] as const) {
        options.signal?.throwIfAborted();
        options.onProgress?.({ program: program.name, side, run, runs });
        const figures =
          side === 'vm'
            ? await measureVm(options, program, image, guestBytes + imageBytes)
            : await measureContainer(options, program, imageBytes, { host: memoryBytes, idle });
        sides[side].push(figures);
      }
    }
    const [vm, container] = [medians(sides.vm), medians(sides.container)];
    compared.push({
      ...{ name: program.name, title: program.title, image: program.image, vm, container },
      instructionRatio: container.runInstructions / vm.runInstructions,
      cpuRatio: container.runCpuMs / vm.runCpuMs,
    });
  }
  return { measuredAt: new Date().toISOString(), runs, host, programs: compared };
}

/** @throws {CompareError} for a name that is none */
function chosen(names: readonly string[] | undefined): readonly CompareProgram[] {
  if (names === undefined || names.length === 0) return COMPARE_PROGRAMS;
  return names.map((name) => {
    const found = COMPARE_PROGRAMS.find((program) => program.name === name);
    if (found !== undefined) return found;
    const known = COMPARE_PROGRAMS.map((program) => program.name).join(', ');
    throw new CompareError(`there is no program '${name}' to compare; there are ${known}`);
  });
}

async function findImage({ images, fetchImage }: CompareOptions, name: string): Promise<ImageRootfs> {
  try {
    return await images.rootfs(name);
  } catch (error) {
    const missing = error instanceof ImageStoreError && error.code === 'not-found';
    if (!missing || fetchImage === undefined) throw error;
    await fetchImage(name);
    return images.rootfs(name);
  }
}

async function measureVm(
  { hypervisor }: CompareOptions,
  program: CompareProgram,
  image: ImageRootfs,
  diskBytes: number,
): Promise<SideFigures> {
  const start = performance.now();
  let vm: VirtualMachine | undefined;
  try {
    vm = await hypervisor.create({
      guest: GUEST,
      name: `compare ${program.name}`,
      shares: [
        { tag: 'root', kind: 'overlay', lowers: image.layers, upper: { kind: 'memory' } },
        { tag: 'program', kind: 'files', files: [{ path: 'script', contents: scriptOf(program, image) }] },
      ],
    });
    const terminal = vm.console();
    const dialogue = new SideDialogue(`${program.name} as a VM`, (text) => terminal.write(text));
    vm.on('state', ({ state, reason }) => {
      if (state === 'stopped') dialogue.fail(new Error(`the machine has stopped (${reason?.kind})`));
    });
    vm.on('error', ({ error }) => dialogue.fail(error));
    await vm.start();
    const prompt = await waitForPrompt(vm, { timeoutMs: BOOT_MS });
    terminal.onData((bytes) => dialogue.hear(bytes));
    const typed = performance.now();
    terminal.write(
      'mount -t proc proc /mnt/root/proc; exec chroot /mnt/root /bin/sh -c "$(cat /mnt/program/script)"\n',
    );
    await dialogue.ready();
    const startMs = prompt - start + (performance.now() - typed);
    const run = await measureRun(vm, dialogue);
    // All of the machine's memory that cannot be had for anything else, its kernel's own included.
    const { memory } = await vm.stats();
    const memoryBytes = Math.max(PAGE, memory - run.available);
    return {
      ...{ startMs, startInstructions: run.before.instructions, ...run.figures, memoryBytes, diskBytes },
      fitInGiB: Math.floor(GIB / memoryBytes),
    };
  } finally {
    await vm?.destroy();
  }
}

/** What the image says of the environment, which a container has by itself, and then the program. */
function scriptOf({ script }: CompareProgram, { config }: ImageRootfs): Blob {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const variables = (config.config?.Env ?? []).flatMap((entry) => {
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(entry) ?? [];
    return name === undefined ? [] : [`export ${name}=${quoted(value ?? '')}\n`];
  });
  return new Blob([...variables, measuredScript(script)]);
}

/** What a container takes that only waits: of the host's memory, and of that what its control group counts. */
interface IdleMemory {
  bytes: number;
  counted: number;
}

/** Measures containers that wait, all at once: what one takes is less than what the host's memory changes by itself. */
async function measureIdle(options: CompareOptions, image: string): Promise<IdleMemory> {
  const { engine } = options;
  const ids: string[] = [];
  const start = async () => {
    const { Id } = await engine.create({
      Image: image,
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['read -r end'],
      OpenStdin: true,
    });
    ids.push(Id);
    await engine.start(Id);
  };
  try {
    // What the first one brings into memory is there for all.
    await start();
    const before = await usedInHost(options);
    for (let count = 0; count < IDLE_CONTAINERS; count++) await start();
    const bytes = Math.max(PAGE, (await usedInHost(options)) - before) / IDLE_CONTAINERS;
    return { bytes, counted: (await engine.stats(ids.at(-1)!)).memoryUsage };
  } finally {
    for (const id of ids) await engine.remove(id, { force: true, volumes: true });
  }
}

async function measureContainer(
  { engine }: CompareOptions,
  program: CompareProgram,
  diskBytes: number,
  memory: { host: number; idle: IdleMemory },
): Promise<SideFigures> {
  const { vm } = await engine.host();
  const before = await vm.stats();
  const start = performance.now();
  const { Id } = await engine.create({
    Image: program.image,
    Entrypoint: ['/bin/sh', '-c'],
    Cmd: [measuredScript(program.script)],
    OpenStdin: true,
  });
  try {
    const streams = engine.attach(Id);
    const encoder = new TextEncoder();
    const dialogue = new SideDialogue(`${program.name} as a container`, (text) => {
      void streams.write(encoder.encode(text));
    });
    streams.onOutput((_, bytes) => dialogue.hear(bytes));
    engine.wait(Id, 'next-exit').then(
      (status) => dialogue.fail(new Error(`it ended with ${status}`)),
      (error: Error) => dialogue.fail(error),
    );
    await engine.start(Id);
    await dialogue.ready();
    const startMs = performance.now() - start;
    const run = await measureRun(vm, dialogue);
    const { memoryUsage } = await engine.stats(Id);
    // One that waits, with what the kernel keeps of it, and what this one's processes and files have beyond that.
    const memoryBytes = memory.idle.bytes + Math.max(0, memoryUsage - memory.idle.counted);
    dialogue.end();
    return {
      ...{ startMs, startInstructions: run.before.instructions - before.instructions, ...run.figures },
      ...{ memoryBytes, diskBytes },
      fitInGiB: Math.max(0, Math.floor((GIB - memory.host) / memoryBytes)),
    };
  } finally {
    await engine.remove(Id, { force: true, volumes: true });
  }
}

async function measureRun(vm: VirtualMachine, dialogue: SideDialogue) {
  const before: VmStats = await vm.stats();
  const began = performance.now();
  const { ended, available } = await dialogue.run();
  const after = await vm.stats();
  return {
    before,
    available: await available(),
    figures: {
      runMs: ended - began,
      runInstructions: after.instructions - before.instructions,
      runCpuMs: after.cpuMs - before.cpuMs,
    },
  };
}

/** Bytes of the container host's memory that cannot be had for anything else. */
async function usedInHost({ engine }: CompareOptions): Promise<number> {
  const { vm, agent } = await engine.host();
  const [, available] = /^MemAvailable:\s+(\d+) kB/m.exec(await agent.readText('/proc/meminfo')) ?? [];
  return (await vm.stats()).memory - Number(available ?? 0) * 1024;
}

/** The median of each figure. */
function medians(all: readonly SideFigures[]): SideFigures {
  const median = (of: (figures: SideFigures) => number) => {
    const sorted = all.map(of).sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  };
  return {
    startMs: median(({ startMs }) => startMs),
    startInstructions: median(({ startInstructions }) => startInstructions),
    runMs: median(({ runMs }) => runMs),
    runInstructions: median(({ runInstructions }) => runInstructions),
    runCpuMs: median(({ runCpuMs }) => runCpuMs),
    memoryBytes: median(({ memoryBytes }) => memoryBytes),
    diskBytes: median(({ diskBytes }) => diskBytes),
    fitInGiB: Math.floor(median(({ fitInGiB }) => fitInGiB)),
  };
}
