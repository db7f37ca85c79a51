// Bit manipulation: Zbb, Zbc, Zbs and Zicond, but for the few that stand in the interpreter's own switch.
import {
  OP_BCLR,
  OP_BCLRI,
  OP_BEXT,
  OP_BEXTI,
  OP_BINV,
  OP_BINVI,
  OP_BSET,
  OP_BSETI,
  OP_CLMUL,
  OP_CLMULH,
  OP_CLMULR,
  OP_CLZ,
  OP_CLZW,
  OP_CPOP,
  OP_CPOPW,
  OP_CTZ,
  OP_CTZW,
  OP_CZERO_EQZ,
  OP_CZERO_NEZ,
  OP_MAX,
  OP_MAXU,
  OP_MIN,
  OP_MINU,
  OP_ORC_B,
  OP_REV8,
  OP_ROL,
  OP_ROLW,
  OP_ROR,
  OP_RORI,
  OP_RORIW,
  OP_RORW,
} from '../isa/generated/opcodes';
import { imm, imm32, rs1, rs1w, rs2, rs2w, setRd, setRdW } from './entry';

/** Low half of the carry-less product. */
function clmul(a: u64, b: u64): u64 {
  let product: u64 = 0;
  while (b) {
    product ^= a << ctz(b);
    b &= b - 1;
  }
  return product;
}

/** Product shifted right by 63: clmulr; clmulh is that shifted once more. */
function clmulr(a: u64, b: u64): u64 {
  let product: u64 = 0;
  while (b) {
    product ^= a >> (63 - ctz(b));
    b &= b - 1;
  }
  return product;
}

function reverseBytes(value: u64): u64 {
  value = ((value & 0x00ff00ff00ff00ff) << 8) | ((value >> 8) & 0x00ff00ff00ff00ff);
  value = ((value & 0x0000ffff0000ffff) << 16) | ((value >> 16) & 0x0000ffff0000ffff);
  return rotl(value, 32);
}

/** Each byte that is not zero becomes 0xff. */
function orCombine(value: u64): u64 {
  const low7: u64 = 0x7f7f7f7f7f7f7f7f;
  const nonZero = (((value & low7) + low7) | value) & ~low7;
  return (nonZero >> 7) * 0xff;
}

/** Executes `op` if it is one of these; false if it is not. */
export function executeBits(op: u32, ip: usize): bool {
  switch (op) {
    case OP_CLZ:
      setRd(ip, clz(rs1(ip)));
      return true;
    case OP_CLZW:
      setRdW(ip, clz(rs1w(ip)));
      return true;
    case OP_CTZ:
      setRd(ip, ctz(rs1(ip)));
      return true;
    case OP_CTZW:
      setRdW(ip, ctz(rs1w(ip)));
      return true;
    case OP_CPOP:
      setRd(ip, popcnt(rs1(ip)));
      return true;
    case OP_CPOPW:
      setRdW(ip, popcnt(rs1w(ip)));
      return true;
    case OP_MAX:
      setRd(ip, <u64>max<i64>(rs1(ip), rs2(ip)));
      return true;
    case OP_MAXU:
      setRd(ip, max(rs1(ip), rs2(ip)));
      return true;
    case OP_MIN:
      setRd(ip, <u64>min<i64>(rs1(ip), rs2(ip)));
      return true;
    case OP_MINU:
      setRd(ip, min(rs1(ip), rs2(ip)));
      return true;
    case OP_ORC_B:
      setRd(ip, orCombine(rs1(ip)));
      return true;
    case OP_REV8:
      setRd(ip, reverseBytes(rs1(ip)));
      return true;
    case OP_ROL:
      setRd(ip, rotl(rs1(ip), rs2(ip)));
      return true;
    case OP_ROLW:
      setRdW(ip, rotl(rs1w(ip), rs2w(ip)));
      return true;
    case OP_ROR:
      setRd(ip, rotr(rs1(ip), rs2(ip)));
      return true;
    case OP_RORW:
      setRdW(ip, rotr(rs1w(ip), rs2w(ip)));
      return true;
    case OP_RORI:
      setRd(ip, rotr(rs1(ip), <u64>imm(ip)));
      return true;
    case OP_RORIW:
      setRdW(ip, rotr(rs1w(ip), imm32(ip)));
      return true;
    case OP_CLMUL:
      setRd(ip, clmul(rs1(ip), rs2(ip)));
      return true;
    case OP_CLMULH:
      setRd(ip, clmulr(rs1(ip), rs2(ip)) >> 1);
      return true;
    case OP_CLMULR:
      setRd(ip, clmulr(rs1(ip), rs2(ip)));
      return true;
    case OP_BCLR:
      setRd(ip, rs1(ip) & ~((<u64>1) << (rs2(ip) & 63)));
      return true;
    case OP_BCLRI:
      setRd(ip, rs1(ip) & ~((<u64>1) << (<u64>imm(ip))));
      return true;
    case OP_BEXT:
      setRd(ip, (rs1(ip) >> (rs2(ip) & 63)) & 1);
      return true;
    case OP_BEXTI:
      setRd(ip, (rs1(ip) >> <u64>imm(ip)) & 1);
      return true;
    case OP_BINV:
      setRd(ip, rs1(ip) ^ ((<u64>1) << (rs2(ip) & 63)));
      return true;
    case OP_BINVI:
      setRd(ip, rs1(ip) ^ ((<u64>1) << (<u64>imm(ip))));
      return true;
    case OP_BSET:
      setRd(ip, rs1(ip) | ((<u64>1) << (rs2(ip) & 63)));
      return true;
    case OP_BSETI:
      setRd(ip, rs1(ip) | ((<u64>1) << (<u64>imm(ip))));
      return true;
    case OP_CZERO_EQZ:
      setRd(ip, rs2(ip) == 0 ? 0 : rs1(ip));
      return true;
    case OP_CZERO_NEZ:
      setRd(ip, rs2(ip) != 0 ? 0 : rs1(ip));
      return true;
  }
  return false;
}
