/** A list node: structs may point to themselves and hold others. */
class Node {
  value!: i32;
  next!: Ptr<Node>;
  position!: Point;
  bytes!: FixedArray<u8, 3>;
}

class Point {
  x!: f32;
  y!: f32;
}

/** @packed */
class Descriptor {
  limit!: u16;
  base!: u64;
}

/** @align 64 */
class Line {
  count!: u32;
}

/** @align 4096 */
const table = zeroed<FixedArray<u64, 512>>();
const first = zeroed<Node>();

export function sum(node: Ptr<Node>): i32 {
  let total: i32 = 0;
  for (let n: Ptr<Node> = node; n != null; n = n.next) {
    total += n.value;
    n.position.x += 0.5;
    n.bytes[total & 1] = 7;
  }
  return total;
}

export function use(): usize {
  const descriptor = zeroed<Descriptor>();
  descriptor.limit = u16(sizeof<Descriptor>() - 1);
  descriptor.base = u64(changetype<usize>(ref(table[0])));
  const line = zeroed<Line>();
  line.count++;
  first.next = ref(first);
  const middle = ref(first.position);
  middle.y = 2;
  return sizeof<Node>() + sizeof<Line>() + table.length + usize(sum(ref(first)));
}
