import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './programs.ts';

/** C with what kernel modules have: exports, undefined symbols, weak ones, per-section data, statics, a .modinfo. */
export const moduleSource = `
#define INFO(name, text) static const char name[] __attribute__((section(".modinfo"), used, aligned(1))) = text
INFO(info_license, "license=GPL");
INFO(info_depends, "depends=first-dep,second_dep");
INFO(info_alias1, "alias=one");
INFO(info_alias2, "alias=two=2");
extern int printk(const char *, ...);
extern void *undefined_but_unused;
extern int weak_one(void) __attribute__((weak));
int exported_counter;
static int hidden_counter = 5;
static const char *const names[] = {"zero", "one", "two", "three", "four", "five", "six"};
__attribute__((noinline)) static int helper(int x) { hidden_counter += x; return printk("%s\\n", names[x % 7]); }
__attribute__((section(".init.text"))) int init_module(void) { return helper(3) + (weak_one ? weak_one() : 0); }
__attribute__((section(".exit.text"))) void cleanup_module(void) { exported_counter = helper(hidden_counter); }
int choose(int x) {
  switch (x) {
    case 0: return helper(1);
    case 1: return exported_counter;
    case 2: return printk("two");
    case 3: return hidden_counter;
    case 4: return x * 77;
    case 5: return helper(9) / (x + 1);
    default: return -1;
  }
}
void *const table[] __attribute__((section(".rodata.table"))) = {init_module, cleanup_module, choose, &hidden_counter};
static int unused_static[10] __attribute__((used));
`;

/** A module that depends on the given ones. */
export function compileModule(folder: string, depends: string): Buffer {
  const source = join(folder, 'module.c');
  const object = join(folder, 'module.o');
  writeFileSync(source, moduleSource.replace('first-dep,second_dep', depends));
  run('riscv64-linux-gnu-gcc', ['-c', '-O2', '-ffreestanding', '-mcmodel=medany', source, '-o', object]);
  return readFileSync(object);
}
