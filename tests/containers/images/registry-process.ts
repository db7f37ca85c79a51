// Debian's docker-registry on loopback.
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMissing, missingProgram, temporaryFolder } from './programs.ts';

export interface RegistryProcess {
  /** `127.0.0.1:PORT` */
  host: string;
  /** What it keeps is here. */
  folder: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a registry; `auth` is that part of its configuration (YAML, indented by two). */
export async function startRegistry(auth = ''): Promise<RegistryProcess> {
  const folder = await temporaryFolder();
  const host = `127.0.0.1:${await freePort()}`;
  const path = join(folder, 'config.yml');
  await writeFile(
    path,
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: ${join(folder, 'data')}}
  delete: {enabled: true}
http: {addr: '${host}', secret: tests}
${auth}`,
  );
  const child: ChildProcess = spawn('docker-registry', ['serve', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  let failure: unknown;
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk).slice(-2000);
  });
  child.once('error', (error) => {
    failure = error;
  });
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  for (const start = Date.now(); ; ) {
    if (failure !== undefined)
      throw isMissing(failure) ? missingProgram('docker-registry', 'docker-registry') : failure;
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${words}`);
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer !== undefined) break;
    if (Date.now() - start > 30_000) throw new Error(`docker-registry does not answer: ${words}`);
    await sleep(20);
  }
  return {
    host,
    folder,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
