typedef i32 Kind;
enum { Kind_Round = 0, Kind_Flat = 1 };
typedef struct Shape Shape;
struct Shape {
  i32 width;
  Kind kind;
};
_Static_assert(sizeof(Shape) == 8, "layout of Shape");

static const f32 EPSILON = 0.00001f;
static const i32 DIM = 288;
static i32 shape_area(Shape *);
static i32 input_area(void);
f32 total(Shape *, Kind);
static f32 const RATES[2] = {0.5f, 0.25f};

#line 11 "tests/compiler/cases/modules/shape.ts"
static i32 shape_area(Shape *shape) {
  return shape->width * shape->width;
}

#line 5 "tests/compiler/cases/modules/input.ts"
static i32 input_area(void) {
  return DIM * 2;
}

f32 total(Shape *shape, Kind kind) {
  { return RATES[1] + EPSILON; }
  return (f32)(input_area() + shape_area(shape) + (i32)kind);
}
