/** The gateway serves files only: everything is rendered in the browser. */
export const ssr = false;
