export {
  type OneShotInput as ReceiveInput,
  type OneShotState as ReceiveState,
  oneShotTable as receiveTable,
} from '@postern/wire';
