/** Something needed is not there; that says nothing about what was drawn. */
export class CouldNotLook extends Error {}

/** A file that should be there is not. */
export class NotThere extends CouldNotLook {}
