export enum Kind {
  Round,
  Flat,
}

export class Shape {
  width!: i32;
  kind!: Kind;
}

export function area(shape: Ptr<Shape>): i32 {
  return shape.width * shape.width;
}
