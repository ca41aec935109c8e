import { configureGlobal } from "fast-check";

/** Loaded before the tests where a failure has to be repeatable: a change is judged by what it did, not by luck. */
configureGlobal({ seed: 20_261_124 });
