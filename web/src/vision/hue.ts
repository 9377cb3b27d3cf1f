// The golden angle puts neighbouring classes far apart on the colour circle, however many there are.
const goldenAngle = 137.508

/** The hue of a class in degrees; the style sheet decides how light and strong it is. */
export function hueOf(classId: number): number {
  return Math.round((152 + classId * goldenAngle) % 360)
}
