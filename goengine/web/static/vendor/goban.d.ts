/** Types of goban.js for the check of our own modules; browsers never load this file. */
export { h, render, Fragment, createContext } from "preact";
export type { ComponentChildren, VNode } from "preact";
export {
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "preact/hooks";
export { Goban } from "@sabaki/shudan";
export { default as GoBoard } from "@sabaki/go-board";
