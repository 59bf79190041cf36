/** Says which unit would compute: "main", "avxvnni" or "avx512vnni". */
import { say } from '../../../guest/console/say.ts';
import { Unit, unitInUse } from '../../../guest/engine/forward.ts';

export function main(): void {
  const unit = unitInUse();
  if (unit == Unit.Avx512Vnni) say('avx512vnni');
  else if (unit == Unit.AvxVnni) say('avxvnni');
  else say('main');
}
