export { formatColumns as formatTable } from '../src/cli/columns.ts';
export { median } from '../src/measure/spread.ts';
