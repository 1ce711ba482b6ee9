import express from 'express4';
import { addRoutes } from './express-routes.mjs';

export default addRoutes(express());
