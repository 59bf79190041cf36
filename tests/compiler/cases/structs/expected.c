typedef struct Point Point;
typedef struct Node Node;
typedef struct Descriptor Descriptor;
typedef struct Line Line;
struct Point {
  f32 x;
  f32 y;
};
_Static_assert(sizeof(Point) == 8, "layout of Point");
struct Node {
  i32 value;
  Node *next;
  Point position;
  u8 bytes[3];
};
_Static_assert(sizeof(Node) == 32, "layout of Node");
struct __attribute__((packed)) Descriptor {
  u16 limit;
  u64 base;
};
_Static_assert(sizeof(Descriptor) == 10, "layout of Descriptor");
struct __attribute__((aligned(64))) Line {
  u32 count;
};
_Static_assert(sizeof(Line) == 64, "layout of Line");

i32 sum(Node *);
usize use(void);
static u64 table[512] __attribute__((aligned(4096)));
static Node first;

#line 29 "tests/compiler/cases/structs/input.ts"
i32 sum(Node *node) {
  i32 total = 0;
  for (Node *n = node; n != null; n = n->next) {
    total += n->value;
    n->position.x += 0.5f;
    n->bytes[total & 1] = 7;
  }
  return total;
}

usize use(void) {
  Descriptor descriptor = {};
  descriptor.limit = (u16)(10ull - 1ull);
  descriptor.base = (u64)((usize)&table[0]);
  Line line = {};
  line.count++;
  first.next = &first;
  Point *middle = &first.position;
  middle->y = 2.0f;
  return 32ull + 64ull + 512 + (usize)sum(&first);
}
