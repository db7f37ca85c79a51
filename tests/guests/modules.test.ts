import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { extractModules, moduleName, readModinfo } from '../../src/guests/modules-node.ts';
import { makeDeb, pack } from './fake-mirror.ts';
import { compileModule } from './module-source.ts';
import { temporaryFolder } from './programs.ts';

const folder = temporaryFolder();
const deb = join(folder, 'kernel.deb');

describe('extractModules', () => {
  beforeAll(() => {
    const at = (name: string) => `usr/lib/modules/6.1/kernel/${name}.ko`;
    const files = {
      [`${at('fs/top')}.xz`]: pack(compileModule(folder, 'mid-one,libcrc32c'), 'xz'),
      [`${at('a/mid-one')}.xz`]: pack(compileModule(folder, 'bottom'), 'xz'),
      [`${at('lib/libcrc32c')}.xz`]: pack(compileModule(folder, ''), 'xz'),
      [`${at('crypto/crc32c_generic')}.gz`]: pack(compileModule(folder, ''), 'gz'),
      [at('z/bottom')]: compileModule(folder, ''),
      [at('z/circle1')]: compileModule(folder, 'circle2'),
      [at('z/circle2')]: compileModule(folder, 'circle1'),
      [at('z/broken')]: Buffer.from('not a module'),
    };
    writeFileSync(deb, makeDeb(folder, files));
  });

  it('finds what modules depend on, soft dependencies too, in an order in which they load', async () => {
    const modules = await extractModules(deb, 'kernel.deb', ['top']);
    const names = modules.map(({ name }) => name);
    expect([...names].sort()).toEqual(['bottom', 'crc32c_generic', 'libcrc32c', 'mid_one', 'top']);
    for (const { name, depends } of modules) {
      for (const other of depends) expect(names.indexOf(other)).toBeLessThan(names.indexOf(name));
    }
    expect(readModinfo(modules[0]!.data, 'module').get('license')).toEqual(['GPL']);
  });

  it('takes a module by either spelling of its name', async () => {
    for (const name of ['mid-one', 'mid_one']) {
      const modules = await extractModules(deb, 'kernel.deb', [name]);
      expect(modules.map((module) => module.name)).toEqual(['bottom', 'mid_one']);
    }
    expect(moduleName('lib/snd-hda.ko.zst')).toBe('snd_hda');
    expect(moduleName('lib/modules.dep')).toBeUndefined();
  });

  it('refuses what is not there, no module, or goes in a circle', async () => {
    await expect(extractModules(deb, 'kernel.deb', ['absent'])).rejects.toThrow(/has no module absent/);
    await expect(extractModules(deb, 'kernel.deb', ['broken'])).rejects.toThrow(/no kernel module/);
    await expect(extractModules(deb, 'kernel.deb', ['circle1'])).rejects.toThrow(/depends on itself/);
  });

  it('reads every field of .modinfo, repeated ones too', () => {
    const fields = readModinfo(compileModule(folder, 'x'), 'module');
    expect(fields.get('alias')?.toSorted()).toEqual(['one', 'two=2']);
    expect(fields.get('depends')).toEqual(['x']);
  });
});
