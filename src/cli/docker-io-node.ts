import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DockerIo } from '../containers/docker/docker-io.ts';
import { nodeFiles } from './docker-files.ts';
import { STATUS_USAGE } from './exit-status.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * This process's own streams, terminal and files.
 * @param streams false: only its files are wanted
 */
export function nodeIo({ streams = true } = {}): DockerIo {
  const write = (stream: NodeJS.WriteStream) => (data: Uint8Array | string) => {
    if (stream.write(data)) return;
    return new Promise<void>((done) => stream.once('drain', () => done()));
  };
  if (streams) {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever read our output has gone: nothing is left to do.
      process.exit(error.code === 'EPIPE' ? 0 : STATUS_USAGE);
    });
  }
  return {
    stdout: write(process.stdout),
    stderr: write(process.stderr),
    stdin: () => process.stdin,
    stdinIsTerminal: process.stdin.isTTY === true,
    stdoutIsTerminal: process.stdout.isTTY === true,
    size: () => {
      const { columns, rows, isTTY } = process.stdout;
      return isTTY ? { columns, rows } : undefined;
    },
    onResize: (listener) => {
      process.stdout.on('resize', listener);
      return () => void process.stdout.off('resize', listener);
    },
    raw: () => {
      const restore = () => void process.stdin.setRawMode(false);
      process.stdin.setRawMode(true);
      process.once('exit', restore);
      return () => {
        process.off('exit', restore);
        restore();
        process.stdin.pause();
      };
    },
    onSignal: (listener) => {
      const listeners = SIGNALS.map((signal) => {
        const hear = () => listener(signal);
        process.on(signal, hear);
        return () => void process.off(signal, hear);
      });
      return () => {
        for (const off of listeners) off();
      };
    },
    absolutePath: (path) => resolve(path),
    readText: (path) => readFile(path, 'utf8'),
    writeText: (path, text) => writeFile(path, text, { flag: 'wx' }),
    readFile: (path) => createReadStream(path),
    writeFile: async (path, bytes) => {
      try {
        await pipeline(
          Readable.fromWeb(bytes as Parameters<typeof Readable.fromWeb>[0]),
          createWriteStream(path),
        );
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },
    environment: (name) => process.env[name],
    files: nodeFiles,
  };
}
