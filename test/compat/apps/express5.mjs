import express from 'express';
import { addRoutes } from './express-routes.mjs';

export default addRoutes(express());
