// One v86 machine in a process of its own, driven by messages: {do: 'boot' | 'run' | 'stop' | 'command', line?}.
// Answers {text, ms}: what the guest printed, and how long it took from outside.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { v86Machine, v86Package } from './v86-guest.mjs';

const PROMPT = /# $/;
/** What the shell's line editor asks a terminal for behind its prompt. */
const CURSOR_QUERY = '\x1b[6n';
const path = await v86Package();
const { V86 } = await import(pathToFileURL(join(path, 'build', 'libv86.mjs')).href);

let text = '';
let changed = () => {};
let machine;

async function until(/** @type {RegExp} */ pattern) {
  for (;;) {
    const match = pattern.exec(text.replaceAll(CURSOR_QUERY, ''));
    if (match) return match;
    await new Promise((resolve) => {
      changed = () => resolve(undefined);
    });
  }
}

async function boot() {
  const { kernel, initrd, bios, vgaBios } = await v86Machine();
  const start = performance.now();
  machine = new V86({
    wasm_path: join(path, 'build', 'v86.wasm'),
    bios: { buffer: bios.buffer },
    vga_bios: { buffer: vgaBios.buffer },
    bzimage: { buffer: kernel.buffer },
    initrd: { buffer: initrd.buffer },
    cmdline: 'console=ttyS0 quiet tsc=reliable mitigations=off random.trust_cpu=on',
    memory_size: 256 << 20,
    autostart: true,
    disable_keyboard: true,
    disable_mouse: true,
    disable_speaker: true,
  });
  machine.add_listener('serial0-output-byte', (/** @type {number} */ byte) => {
    text += String.fromCharCode(byte);
    changed();
  });
  await until(PROMPT);
  return { text, ms: performance.now() - start };
}

async function command(/** @type {string} */ line) {
  text = '';
  const start = performance.now();
  // The echo of what is typed does not match; what is printed does.
  machine.serial0_send(`${line}; echo en''d $?\n`);
  const match = await until(/end (\d+)\r?\n/);
  const ms = performance.now() - start;
  const output = text.slice(text.indexOf('\n') + 1, text.search(/end \d+\r?\n/));
  await until(PROMPT);
  if (match[1] !== '0') throw new Error(`${line} ended with ${match[1]}: ${output.slice(0, 200)}`);
  return { text: output, ms };
}

const actions = {
  boot,
  command,
  run: async () => {
    await machine.run();
    return { text: '', ms: 0 };
  },
  stop: async () => {
    await machine.stop();
    return { text: '', ms: 0 };
  },
};

process.on('message', async (/** @type {{ do: keyof typeof actions, line: string }} */ message) => {
  try {
    process.send?.(await actions[message.do](message.line));
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
