// the global is a getter
import { nextTick } from 'node:process';

/** Who has something to do once, when everything that runs now is done. */
interface Turn {
  endTurn(): void;
}

/** Calls `endTurn` behind what runs now, without a closure. */
export function atEndOfTurn(turn: Turn): void {
  nextTick(endTurn, turn);
}

function endTurn(turn: Turn): void {
  turn.endTurn();
}
