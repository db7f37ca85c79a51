// All guests: what they are, and what they want of a machine. How the Debian ones are made: recipes-node.ts.
import { TOY_GUESTS } from './toy-guests.ts';

/** A guest that can be prepared. */
export interface CatalogueEntry {
  name: string;
  title: string;
  description: string;
  kind: 'debian' | 'toy';
  /** Bytes of RAM it wants. */
  memory: number;
  /** Kernel command line. */
  append?: string;
  /** True for a guest that is there for another part of Hypertab, and has no console: pages do not offer it. */
  internal?: true;
  /** The last bytes on the console when it waits for a command. */
  prompt?: string;
}

const MIB = 1024 ** 2;

/**
 * Start-up work of Debian's kernel that no guest here needs: self-tests of crypto, BTF and BPF tables, tracing
 * tables. 958 million instructions to /init without this line, 211 million with it (QEMU 7.2 -icount).
 * Its price: TCP without cubic, and no /sys/kernel/slab.
 */
const SKIPPED_INITCALLS = [
  'jent_mod_init',
  'load_system_certificate_list',
  'trace_eval_init',
  'btf_module_init',
  'bpf_rstat_kfunc_init',
  'bpf_key_sig_kfuncs_init',
  'bpf_kprobe_multi_kfuncs_init',
  'kfunc_init',
  'cpumask_kfunc_init',
  'crypto_kfunc_init',
  'bpf_fs_kfuncs_init',
  'bpf_kfunc_init',
  'bpf_tcp_ca_kfunc_init',
  'bpf_mptcp_kfunc_init',
  'bpf_dummy_struct_ops_init',
  'bpf_prog_test_run_init',
  'xdp_metadata_init',
  'cubictcp_register',
  'init_subsystem',
  'bpf_map_iter_init',
  'task_iter_init',
  'bpf_crypto_skcipher_init',
  'slab_sysfs_init',
  'param_sysfs_builtin_init',
  'blake2s_mod_init',
  'check_unaligned_access_all_cpus',
];

/**
 * earlycon: a kernel that gives up before its consoles are there (too little memory, say) can still say why. no4lvl:
 * three levels of page tables (Sv39) reach 256 GiB, and a process has two tables less to make, a walk two to read.
 */
const FAST_COMMAND_LINE = `console=ttyS0 earlycon quiet no4lvl cryptomgr.notests initcall_blacklist=${SKIPPED_INITCALLS.join(',')}`;

/**
 * What Debian's kernel does for everything that happens in it, and what a guest can do without in which whoever works
 * is root: clearing memory that is given out, another place on the kernel's stack for each system call, second looks
 * at what is copied, AppArmor's at what is opened, accounts of what waited for what, shares of the processor by
 * session. Together a ninth of the instructions of reading small files, a seventh of those of unpacking an archive,
 * 5 million of a boot. Its price: no AppArmor, no /proc/pressure, and a kernel that is less on its guard.
 */
const QUICK_KERNEL =
  'init_on_alloc=0 randomize_kstack_offset=off hardened_usercopy=off lsm=landlock,lockdown,yama psi=0 noautogroup';

/** In the order in which they are shown; the first is the one a newcomer boots. */
export const catalogue: readonly CatalogueEntry[] = [
  {
    name: 'busybox',
    title: 'Debian Linux with BusyBox',
    description: "Debian's unmodified kernel and a BusyBox shell in RAM; boots fast",
    kind: 'debian',
    memory: 128 * MIB,
    append: `${FAST_COMMAND_LINE} ${QUICK_KERNEL}`,
    prompt: ' # ',
  },
  {
    name: 'busybox-stock',
    title: 'Debian Linux with BusyBox, stock command line',
    description: 'The same kernel and files with all of its start-up work: four times the instructions',
    kind: 'debian',
    memory: 128 * MIB,
    append: 'console=ttyS0',
    prompt: ' # ',
  },
  {
    name: 'debian',
    title: 'Debian Linux on a disk',
    description: "Debian's own userland: bash, apt and Python 3; keeps what you write",
    kind: 'debian',
    memory: 256 * MIB,
    append: `${FAST_COMMAND_LINE} ${QUICK_KERNEL}`,
    prompt: '# ',
  },
  {
    name: 'container-host',
    title: 'Container host',
    description: "Debian's kernel and crun: what `hypertab docker` runs containers in; has no console",
    kind: 'debian',
    internal: true,
    memory: 256 * MIB,
    append: `${FAST_COMMAND_LINE} panic=-1`,
    prompt: 'container-host # ',
  },
  ...TOY_GUESTS.map(({ sources: _, ...toy }): CatalogueEntry => ({ ...toy, kind: 'toy' })),
];

/** The catalogue's entry of that name, or undefined. */
export const catalogueEntry = (name: string) => catalogue.find((entry) => entry.name === name);
