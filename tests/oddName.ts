/**
 * A name that Linux allows, made of all that some program takes for more than a part of a name. Not
 * a slash, not a zero.
 */
export const ODD_NAME = '-a:b c,d%e"f\'g=h\\i@@1M[x]*?$(x)`y`{z};#|<>&!^~\té ϊ 文 \u{1f600}\nnext.';
