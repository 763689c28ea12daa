/**
 * Everything of other authors that the page uses, in one module: Preact, Sabaki's Shudan (the drawn
 * board) and Sabaki's go-board (the rules of moving). build.js turns it into ../static/vendor.
 */
import "@sabaki/shudan/css/goban.css";

export { h, render, Fragment, createContext } from "preact";
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
