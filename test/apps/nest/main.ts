import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Get, Headers, Module, Query, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';

interface Response {
  set(headers: Readonly<Record<string, string>>): unknown;
}

const { PORT = '3000', MICROSERVICE_PORT = '3001', VERSION = '1' } = process.env;

@Controller()
class AnswerController {
  @Get('answer')
  answer(@Headers('x-id') id: string, @Res({ passthrough: true }) response: Response): string {
    response.set({ 'x-id': id, 'x-version': VERSION });
    return `answer to ${id}\n`;
  }

  @Get('slow')
  async slow(
    @Headers('x-id') id: string,
    @Query('ms') ms: string,
    @Res({ passthrough: true }) response: Response
  ): Promise<string> {
    await delay(Number(ms));
    return this.answer(id, response);
  }

  @MessagePattern('version')
  version(): string {
    return VERSION;
  }
}

@Module({ controllers: [AnswerController] })
class AppModule {}

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.connectMicroservice({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: Number(MICROSERVICE_PORT) }
  });
  app.enableShutdownHooks();
  // The microservice listens first: the public port must not become its.
  await app.startAllMicroservices();
  await app.listen(Number(PORT), '127.0.0.1');
}

bootstrap();
