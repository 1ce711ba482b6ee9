import 'reflect-metadata';
import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Get,
  Module,
  Post,
  Req,
  Res,
  StreamableFile,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FileInterceptor } from '@nestjs/platform-express';
import { clients, Failure, pieces, sha256 } from './shared.mjs';

class Routes {
  upload(file, body) {
    return { name: file.originalname, bytes: file.size, sha256: sha256(file.buffer), note: body.note };
  }
  json(body) {
    return { got: body };
  }
  stream() {
    return new StreamableFile(Readable.from(pieces()));
  }
  error() {
    throw new Failure();
  }
  wait(_request, response) {
    clients.begun++;
    response.set('X-Accel-Buffering', 'no');
    response.write('waiting\n');
    response.on('close', () => clients.left++);
  }
  left() {
    return clients;
  }
}

/** What `@Get('x') method(@Body() body)` stands for in a file that is not compiled. */
function route(name, verb, parameters = [], interceptors = []) {
  const descriptor = Object.getOwnPropertyDescriptor(Routes.prototype, name);
  verb(name)(Routes.prototype, name, descriptor);
  for (const interceptor of interceptors) UseInterceptors(interceptor)(Routes.prototype, name, descriptor);
  for (const [index, parameter] of parameters.entries()) parameter(Routes.prototype, name, index);
}
route('upload', Post, [UploadedFile(), Body()], [FileInterceptor('file')]);
route('json', Post, [Body()]);
route('stream', Get);
route('error', Get);
route('wait', Get, [Req(), Res()]);
route('left', Get);
Controller()(Routes);

class App {}
Module({ controllers: [Routes] })(App);

export default NestFactory.create(App, { logger: false });
