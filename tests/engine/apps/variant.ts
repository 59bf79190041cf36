/** Says which variant would compute. */
import { say } from '../../../guest/console/say.ts';
import { variantName } from '../../../guest/engine/forward.ts';

export function main(): void {
  say(variantName());
}
