typedef i32 Edge;
enum { Edge_Upper = 0, Edge_Lower = 1 };

static const i32 WIDTH = 288;
static i32 square(i32);
i32 sum(Edge);

#line 10 "tests/compiler/cases/reexports/edge.ts"
static i32 square(i32 side) {
  return side * side;
}

#line 3 "tests/compiler/cases/reexports/input.ts"
i32 sum(Edge edge) {
  return square(WIDTH) + (i32)edge;
}
