// Debian's own binaries, in guests made of packages: programs that check themselves, and answers that are known.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type GuestOptions, runWork } from './guest.ts';

const MIB = 1 << 20;

/** Runs the work of a guest; every command must end well and say what it should. */
async function check(options: GuestOptions): Promise<void> {
  const { done, instructions, seconds } = await runWork(options);
  for (const { name, expect: wanted } of options.work) {
    const { output, status } = done.get(name)!;
    expect(`${name}: status ${status}\n${status === 0 ? '' : output}`).toBe(`${name}: status 0\n`);
    if (wanted) expect(output, name).toMatch(wanted);
  }
  console.log(`${(instructions / 1e9).toFixed(1)} G instructions, ${seconds.toFixed(0)} s`);
}

test('python3 passes the tests of its own library', () =>
  check({
    packages: ['python3', 'libpython3.13-testsuite'],
    memory: 1024 * MIB,
    most: 150e9,
    keep: (path) => !/\/(idlelib|tkinter|lib2to3)\//.test(path),
    work: [
      ...[
        'test_float test_cmath test_math test_complex test_fractions',
        'test_struct test_array test_bisect test_dict',
        'test_json test_hmac test_binascii test_colorsys test_random',
        'test_mmap test_select test_thread test_queue',
      ].map((names) => ({
        name: names,
        command: `python3 -m test --fail-env-changed ${names} 2>&1 | tail -n 25; python3 -c ''`,
        expect: /Result: SUCCESS/,
      })),
    ],
  }));

/** A number that python, perl, awk and C must all find: the sum of the first primes below a limit. */
const PRIMES_BELOW = 200_000;
function primeSum(): number {
  const sieve = new Uint8Array(PRIMES_BELOW).fill(1, 2);
  let sum = 0;
  for (let number = 2; number < PRIMES_BELOW; number++) {
    if (!sieve[number]) continue;
    sum += number;
    for (let multiple = number * number; multiple < PRIMES_BELOW; multiple += number) sieve[multiple] = 0;
  }
  return sum;
}

const PROGRAM = `#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
static char sieve[${PRIMES_BELOW}];
int main(void) {
  long sum = 0;
  for (long n = 2; n < ${PRIMES_BELOW}; n++) {
    if (sieve[n]) continue;
    sum += n;
    for (long m = n * n; m < ${PRIMES_BELOW}; m += n) sieve[m] = 1;
  }
  double x = 0;
  for (int i = 1; i <= 1000000; i++) x += 1.0 / ((double)i * i);
  uint64_t bits = 0, h = 0x9e3779b97f4a7c15;
  for (int i = 0; i < 100000; i++) {
    h ^= h << 13; h ^= h >> 7; h ^= h << 17;
    bits += __builtin_popcountll(h) + __builtin_clzll(h | 1) + __builtin_ctzll(h | 1ull << 63) + (h << 9 | h >> 55) % 7;
    bits ^= __builtin_bswap64(h) & ~(h >> 3);
  }
  uint64_t raw;
  memcpy(&raw, &x, 8);
  printf("%ld %016llx %llu %.9f\\n", sum, (unsigned long long)raw, (unsigned long long)bits, fma(x, x, -1.0 / 3));
  return 0;
}
`;

/** What PROGRAM prints. */
function programOutput(): string {
  let x = 0;
  for (let i = 1; i <= 1_000_000; i++) x += 1 / (i * i);
  const mask = (1n << 64n) - 1n;
  let bits = 0n;
  let h = 0x9e3779b97f4a7c15n;
  for (let i = 0; i < 100_000; i++) {
    h = (h ^ (h << 13n)) & mask;
    h ^= h >> 7n;
    h = (h ^ (h << 17n)) & mask;
    const text = h.toString(2).padStart(64, '0');
    const ones = BigInt(text.replaceAll('0', '').length);
    const leading = BigInt((h | 1n).toString(2).padStart(64, '0').indexOf('1'));
    const low = (h | (1n << 63n)).toString(2).padStart(64, '0');
    const trailing = BigInt(63 - low.lastIndexOf('1'));
    bits = (bits + ones + leading + trailing + ((((h << 9n) & mask) | (h >> 55n)) % 7n)) & mask;
    const swapped = BigInt(`0x${(h.toString(16).padStart(16, '0').match(/../g) ?? []).reverse().join('')}`);
    bits = (bits ^ (swapped & ~(h >> 3n))) & mask;
  }
  const raw = new DataView(new ArrayBuffer(8));
  raw.setFloat64(0, x);
  const [hex, rest] = [raw.getBigUint64(0).toString(16).padStart(16, '0'), (x * x - 1 / 3).toFixed(9)];
  return `${primeSum()} ${hex} ${bits} ${rest}`;
}

test('gcc compiles, with every level and with the bit-manipulation extensions, what then computes the right answer', () => {
  const answer = new RegExp(`^${programOutput().replace('.', '\\.')}$`, 'm');
  const build = (options: string) => ({
    name: options,
    command: `gcc ${options} -o p /root/p.c -lm && ./p`,
    expect: answer,
  });
  return check({
    packages: ['gcc', 'libc6-dev'],
    memory: 1536 * MIB,
    most: 60e9,
    keep: (path) => !/\/(lto1|lto-wrapper|libasan|libtsan|liblsan|libubsan|cc1plus|plugin\/)/.test(path),
    files: { 'root/p.c': PROGRAM },
    work: [
      build('-O0'),
      build('-O2'),
      build('-O3 -funroll-loops -static'),
      build('-Os -march=rv64gc_zba_zbb_zbs_zbc_zicond'),
    ],
  });
});

const TEXT_SHA = createHash('sha256')
  .update(Array.from({ length: 50_000 }, (_, index) => `${index + 1}\n`).join(''))
  .digest('hex');

test('openssl passes its self-tests and knows the answers', () =>
  check({
    packages: ['openssl', 'openssl-provider-fips'],
    memory: 256 * MIB,
    most: 60e9,
    work: [
      { name: 'sha256', command: 'busybox seq 50000 | openssl dgst -sha256', expect: new RegExp(TEXT_SHA) },
      {
        name: 'self-tests of the FIPS module',
        command:
          'openssl fipsinstall -out /tmp/f.cnf -module $(busybox find /usr/lib -name fips.so) 2>&1 | tail -n 80; test -s /tmp/f.cnf',
        expect: /INSTALL PASSED/,
      },
      {
        name: 'sign and verify',
        command:
          'for k in "RSA -pkeyopt rsa_keygen_bits:2048" "EC -pkeyopt ec_paramgen_curve:P-256"; do openssl genpkey -algorithm $k -out k.pem 2>/dev/null && openssl pkey -in k.pem -pubout -out p.pem && openssl dgst -sha512 -sign k.pem -out s /init && openssl dgst -sha512 -verify p.pem -signature s /init || exit 1; done',
        expect: /Verified OK\n.*Verified OK/s,
      },
      {
        name: 'ciphers there and back',
        command:
          'for c in aes-256-cbc aes-128-ctr chacha20 camellia-192-cbc; do openssl enc -$c -pbkdf2 -k x -in /init -out e && openssl enc -d -$c -pbkdf2 -k x -in e | busybox cmp - /init || exit 1; done',
      },
      {
        name: 'speed',
        command: 'openssl speed -seconds 1 -bytes 1024 sha256 aes-128-cbc 2>&1',
        expect: /sha256/,
      },
    ],
  }));

test('perl, sqlite3, awk and the compressors give the answers that are known', () => {
  const sum = new RegExp(`^${primeSum()}$`, 'm');
  const pi =
    /3\.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798/;
  return check({
    packages: ['perl', 'sqlite3', 'mawk', 'xz-utils', 'zstd', 'bzip2', 'gzip', 'coreutils', 'bc'],
    memory: 384 * MIB,
    most: 60e9,
    work: [
      {
        name: 'perl primes',
        command: `perl -e 'my @s; my $t = 0; for my $n (2..${PRIMES_BELOW - 1}) { next if $s[$n]; $t += $n; for (my $m = $n * $n; $m < ${PRIMES_BELOW}; $m += $n) { $s[$m] = 1 } } print "$t\\n"'`,
        expect: sum,
      },
      {
        name: 'perl big numbers',
        command: `perl -MMath::BigFloat -e 'print Math::BigFloat->bpi(120), "\\n"'`,
        expect: pi,
      },
      {
        name: 'perl digests',
        command: `perl -MDigest::SHA=sha256_hex -e 'print sha256_hex(join "", map "$_\\n", 1..50000), "\\n"'`,
        expect: new RegExp(TEXT_SHA),
      },
      { name: 'bc', command: `echo 'scale=110; 4*a(1)' | BC_LINE_LENGTH=0 bc -l`, expect: pi },
      {
        name: 'awk',
        command: `mawk 'BEGIN { for (n = 2; n < ${PRIMES_BELOW}; n++) { if (s[n]) continue; t += n; for (m = n * n; m < ${PRIMES_BELOW}; m += n) s[m] = 1 } printf "%d\\n", t }'`,
        expect: sum,
      },
      {
        name: 'sqlite3',
        command: `sqlite3 db "create table t(a integer primary key, b text, c real); with recursive n(i) as (select 1 union all select i+1 from n where i<60000) insert into t select i, hex(i*7919), i/7.0 from n; create index x on t(b); delete from t where a%3=0; select count(*), sum(a), printf('%.6f', sum(c)), max(length(b)) from t; pragma integrity_check; select count(*) from t where b like '3%';"`,
        expect: /^40000\|1200000000\|171428571\.428571\|18\nok\n40000$/m,
      },
      {
        name: 'compressors',
        command:
          'seq 1 80000 > f; for c in xz zstd bzip2 gzip; do $c -6 -c f > z && $c -dc z | busybox cmp - f || exit 1; done; sha512sum f',
      },
    ],
  });
});

test('a guest of 3 GiB uses nearly all of it', () =>
  check({
    packages: [],
    memory: 3072 * MIB,
    most: 60e9,
    work: [
      { name: 'memory', command: 'head -n 1 /proc/meminfo', expect: /MemTotal: +29\d{5} kB/ },
      {
        name: 'fill',
        command:
          'mkdir -p /mnt && busybox mount -t tmpfs -o size=2800M tmpfs /mnt && seq 1 1000000 > s && for i in $(seq 1 380); do cat s; done > /mnt/f && ls -l /mnt/f && tail -c 6888896 /mnt/f | busybox cmp - s && sha256sum s | cut -c1-8',
        expect: / 2617780480 /,
      },
    ],
  }));

test('stress-ng finds nothing wrong', () =>
  check({
    packages: ['stress-ng'],
    memory: 1024 * MIB,
    most: 80e9,
    work: [
      ['cpu', '--cpu 1 --cpu-ops 300 --cpu-method all'],
      ['floating point', '--fp 1 --fp-ops 200 --fma 1 --fma-ops 500 --matrix 1 --matrix-ops 300'],
      [
        'integers',
        '--prime 1 --prime-ops 2000 --hash 1 --hash-ops 200 --bsearch 1 --bsearch-ops 20 --qsort 1 --qsort-ops 4',
      ],
      [
        'memory',
        '--vm 1 --vm-bytes 24M --vm-ops 3000 --memcpy 1 --memcpy-ops 100 --stream 1 --stream-ops 4 --malloc 1 --malloc-ops 5000',
      ],
      ['strings', '--str 1 --str-ops 2000 --wcs 1 --wcs-ops 1000 --regex 1 --regex-ops 20'],
      [
        'control flow',
        '--branch 1 --branch-ops 20000 --goto 1 --goto-ops 2000 --funccall 1 --funccall-ops 200 --jpeg 1 --jpeg-ops 4',
      ],
      [
        'processes',
        '--fork 1 --fork-ops 200 --pipe 1 --pipe-ops 20000 --futex 1 --futex-ops 2000 --signal 1 --signal-ops 5000 --mmap 1 --mmap-ops 20 --fault 1 --fault-ops 3000',
      ],
      ['atomics', '--atomic 1 --atomic-ops 200 --lockbus 1 --lockbus-ops 500 --mutex 1 --mutex-ops 2000'],
    ].map(([name, options]) => ({
      name: name!,
      command: `stress-ng --verify --oomable --no-rand-seed --timeout 240 ${options} 2>&1`,
      expect: /successful run completed/,
    })),
  }));
