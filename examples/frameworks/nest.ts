// NestJS: a provider is a memoized client. No decorators of ours; those of Nest are called as functions here.
import 'reflect-metadata';
import { Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { memoizeMethods } from 'aiocachetools';

class UsersService {
  readonly queries: string[] = [];
  readonly #table = new Map([[7, 'Ada']]);

  async find(id: number): Promise<string | undefined> {
    this.queries.push(`find ${id}`);
    return this.#table.get(id);
  }

  async rename(id: number, name: string): Promise<void> {
    this.#table.set(id, name);
  }
}

/** Still a `UsersService`, so that those who inject it need not know. */
const usersProvider = {
  provide: UsersService,
  useFactory: () => memoizeMethods(new UsersService(), { find: { ttl: 60_000 } }),
};

type MemoizedUsers = ReturnType<typeof usersProvider.useFactory>;

class Greeter {
  constructor(private readonly users: MemoizedUsers) {}

  async greet(id: number): Promise<string> {
    return `Hello ${(await this.users.find(id)) ?? 'stranger'}`;
  }

  async rename(id: number, name: string): Promise<void> {
    await this.users.rename(id, name);
    await this.users.find.delete(id);
  }
}
Inject(UsersService)(Greeter, undefined, 0);

class AppModule {}
Module({ providers: [usersProvider, Greeter] })(AppModule);

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const greeter = app.get(Greeter);
const users = app.get(UsersService);

console.log(await Promise.all([greeter.greet(7), greeter.greet(7)]), users.queries);
await greeter.rename(7, 'Grace');
console.log(await greeter.greet(7), users.queries);
console.log(users instanceof UsersService);
await app.close();

// Output:
// [ 'Hello Ada', 'Hello Ada' ] [ 'find 7' ]
// Hello Grace [ 'find 7', 'find 7' ]
// true
