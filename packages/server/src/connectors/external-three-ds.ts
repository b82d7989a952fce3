// The result of a 3-D Secure authentication done elsewhere, in the form that providers check: merchants pass on what
// their own server told them, and that writes "5" where the specification says "05".

/** Two digits: "05" of "5". */
export const eciOf = (eci: string): string => eci.padStart(2, "0")

/** The message version with its three numbers: "2.2.0" of "2.2". EMV 3-D Secure knows no other last number for these. */
export const messageVersion = (version: string): string => (/^2\.[12]$/.test(version) ? `${version}.0` : version)
