export const MAIN_HELP = `Usage: hypertab COMMAND [OPTIONS]

Boots RISC-V machines laid out like QEMU's virt board, in WebAssembly.

Commands:
  run      boot a guest or an image; its serial console is this terminal
  guest    list, prepare and remove guests
  docker   containers, in docker's words
  serve    keep containers running between commands of docker
  image    images of containers: make, pull, push, load, save, remove
  snapshot list, remove, export and import saved machines
  top      show the running machines, live
  stop     press a machine's power button; also pause, resume, reset, kill
  update   change the limits of a running machine
  compare  the same program as a machine of its own and as a container
  bench    measure speed

hypertab COMMAND --help tells more.  hypertab --version prints the version.
`;

export const RUN_HELP = `Usage: hypertab run [GUEST] [OPTIONS]

Boots a prepared guest, or what --kernel or --bios give. The serial console is on stdin and stdout.
On a terminal: Ctrl-A X ends the machine, Ctrl-A H lists the keys.

  --name NAME             what hypertab top shows and stop takes (default: the guest's)
  --memory SIZE           RAM: 16M to 3G (default: the guest's, else 128M)
  --cpus SHARE            share of a core, 0.01 to 1, enforced over 100 ms
  --memory-limit SIZE     memory that the guest may use of its RAM (balloon; needs its driver)
  --lease TIME            save and stop it after that time, like 30m or 1.5h; a warning comes before
  --kernel FILE           a Linux Image or an ELF, entered in S-mode; may be gzipped
  --initrd FILE           initial RAM disk
  --append STRING         kernel command line
  --bios none|FILE        an M-mode program (an ELF, or raw for 0x80000000); none: Hypertab answers SBI
  --drive FILE[,readonly][,snapshot][,werror=enospc][,bps=RATE][,iops=N]
                          a disk image as a drive, in the guest /dev/vda, /dev/vdb and so on;
                          snapshot: changes are lost at the end; werror=enospc: a guest that
                          writes to a full disk is paused, else it gets an I/O error; bps and iops,
                          also bps_rd, bps_wr, iops_rd and iops_wr: at most so many bytes and
                          requests a second;
                          may be given several times
  --snapshot              the guest's own disk is as it was prepared, and changes are lost at the end
  --share TAG=DIR[,readonly]
                          show a directory to the guest, in our own guests at /mnt/TAG;
                          may be given several times
  --net none              no network (the default)
  --engine NAME           auto, interpreter or translator
  --exec COMMAND          type COMMAND at the prompt, print only its output, power off,
                          exit with its status
  --save FILE.htvm        with --exec: save the machine after the command and leave it so;
                          on a terminal, and at the end of a lease: where it is saved to
  --restore FILE.htvm     go on from a saved machine (a file, or a snapshot's name or id) instead of
                          booting; give --drive, --share and --bios as they were given before
  --warm                  go on from where the guest stood at its prompt when it was first run so,
                          instead of booting; the first run keeps that (for guests without a disk)
  --timeout SECONDS       give up after that time, with exit status 124
  --max-instructions N    stop after exactly N instructions, with exit status 124
  --no-reboot             stop when the guest asks for a reboot
  --signature FILE        write [begin_signature, end_signature) of a bare-metal ELF as hex words
  --stats                 print figures as one JSON object, the last line on stderr

Exit status: the guest's (0 for a power-off, the code for HTIF and syscon, the command's for --exec);
1 when the guest's kernel panics or its processor can never go on; 2 for a wrong option or file;
124 for --timeout and --max-instructions; 70 for a fault of Hypertab itself.
`;

export const DOCKER_HELP = `Usage: hypertab docker COMMAND

Containers in docker's words: run, create, exec, ps, logs, stop, rm, cp and more; hypertab docker --help
lists them. They run in a virtual machine, a container host. With hypertab serve in another terminal there
is one for all commands; otherwise it is made for the command and ends with it.
HYPERTAB_DOCKER_MEMORY=SIZE gives the container host more than 256M.
`;

export const SERVE_HELP = `Usage: hypertab serve

Keeps one container host for all commands of hypertab docker that this user types, until Ctrl-C: so that
containers go on after the command that started them. Images and volumes stay when it ends.
`;

export const GUEST_HELP = `Usage: hypertab guest ls [--json]
       hypertab guest prepare [--refresh] NAME...
       hypertab guest rm NAME...

ls lists the guests there are; prepare makes one ready to run (from packages of this machine's Debian
mirror, or from Hypertab's own source); rm removes its files, and what was written to its disk.

  --json       ls: print one JSON array instead of a table
  --refresh    prepare: ask the mirror for newer packages even when the guest is there

The mirror is that of this machine's apt configuration; HYPERTAB_DEBIAN_MIRROR=URL names another.
`;

export const IMAGE_HELP = `Usage: hypertab image ls [--all] [--json|--quiet] [NAME]
       hypertab image prepare [--refresh] [NAME...]
       hypertab image offer NAME...
       hypertab image pull|push [--quiet] NAME...
       hypertab image load [--input FILE | FILE...]
       hypertab image save [--output FILE] NAME...
       hypertab image import FILE|- [NAME]
       hypertab image rm [--force] NAME...
       hypertab image tag NAME NEW
       hypertab image history|inspect NAME
       hypertab image prune [--all]

Images of containers, for linux/riscv64. prepare makes one from packages of this machine's Debian mirror
(without a name it lists which); offer puts images, made first where that is needed, where the page finds
them that npm start serves, and prepares the container host they run in; load reads an archive of docker
save, an OCI archive or an OCI layout's directory; save writes what docker load and skopeo read. They are
kept in HYPERTAB_IMAGES, else build/images.

A NAME is [HOST[:PORT]/]PATH[:TAG][@DIGEST]; names without a HOST go to the registry that HYPERTAB_REGISTRY
names (HOST[:PORT][/NAMESPACE]). HYPERTAB_INSECURE_REGISTRIES lists those without TLS. Name and password are
HYPERTAB_REGISTRY_USER and HYPERTAB_REGISTRY_PASSWORD, else what docker login has stored.
`;

export const SNAPSHOT_HELP = `Usage: hypertab snapshot ls [--json]
       hypertab snapshot take MACHINE...
       hypertab snapshot rm NAME...
       hypertab snapshot export NAME FILE.htvm
       hypertab snapshot import FILE.htvm...

ls lists the machines that were saved without a file of their own (by take, on a terminal with Ctrl-A S, at
the end of a lease, or by the library); take saves machines that run, by their names or PIDs of hypertab
top, and they run on; rm removes snapshots; export writes one to a file that stands alone; import
takes such a file in. A NAME is a name, an id or the beginning of one.

  --json    ls: print one JSON array instead of a table

They are kept in HYPERTAB_SNAPSHOTS, else in the user's folder for data.
hypertab run --restore NAME starts one.
`;

export const BENCH_HELP = `Usage: hypertab bench [--json] [--engine NAME] [--runs N] [NAME...]
       hypertab bench --list [--json]

Measures how fast guest code runs: small loops in MIPS (million instructions per second); workloads in C
in milliseconds, beside the time of the same C compiled to Wasm; drives in a Linux guest, in megabytes or
requests a second; shared files in it, in milliseconds; starts of containers, in milliseconds; and the
time from start to prompt of the prepared Linux guests. Each figure is the median of N runs (default 3).
A NAME is one of --list, or all of a kind: loops, workloads, disks, fs, containers, boots.

  --json           print one JSON object instead of a table
  --list           list what can be measured
  --engine NAME    auto, interpreter or translator
  --runs N         runs of each, 1 to 99
`;

export const COMPARE_HELP = `Usage: hypertab compare [--json] [--runs N] [PROGRAM...]

Runs the same program, from the same image, as a virtual machine of its own and as a container, and measures
both: time and instructions to its first word, time, instructions and processor time of the program itself,
memory that cannot be had for anything else, files on disk, and how many of it fit into 1 GiB of memory.
Each figure is the median of N runs (default 3). Images that are missing are made or fetched.

PROGRAMs: loop (a shell that counts), compile (Lua to byte code), files (many small ones), server (a small
HTTP server and requests to it); default: all.

  --json     print one JSON object instead of a table
  --runs N   runs of each, 1 to 99
`;

export const TOP_HELP = `Usage: hypertab top [--no-stream] [--json] [--interval SECONDS]

Shows the machines that hypertab run has running for this user: share of a core and its limit, millions
of instructions a second, memory that holds anything, translated code, bytes a second of drives and
network, exits by cause, time since start, and what is left of a lease.

  --no-stream           once, instead of every two seconds
  --json                one JSON array a line, with all figures
  --interval SECONDS    time between two looks
`;

export const CONTROL_HELP = `Usage: hypertab stop [--time SECONDS] [--force] NAME...
       hypertab pause|resume|reset|kill NAME...

Tells machines that run in other processes what to do; NAME is a name or PID of hypertab top.

stop presses the power button: the guest ends its programs, writes what it has to write and powers off.
pause and resume hold its time; reset is a power cycle; kill pulls the plug.

  --time SECONDS    how long stop waits (default: 10)
  --force           then pull the plug, as docker stop does
`;

export const UPDATE_HELP = `Usage: hypertab update [OPTIONS] NAME...

Changes limits of running machines, at once; NAME is a name or PID of hypertab top.

  --cpus SHARE            share of a core, 0.01 to 1; 0: no limit
  --weight N              its part when machines of one process compete, 1 to 10000 (default: 100)
  --memory-limit SIZE     memory that the guest may use of its RAM; 0: all
  --lease TIME            from now on, like 30m; 0: for ever
  --drive N[,bps=RATE][,iops=N]
                          rates of drive N, 0 for /dev/vda; none named: no limit
`;

/** What Ctrl-A H prints on a raw terminal. */
export const KEYS_HELP = [
  '',
  'Ctrl-A H       this help',
  'Ctrl-A X       end the machine',
  'Ctrl-A P       press its power button',
  'Ctrl-A B       send a break',
  'Ctrl-A S       save it: to the file that --save names, or among the snapshots',
  'Ctrl-A Ctrl-A  send Ctrl-A',
  '',
].join('\r\n');
