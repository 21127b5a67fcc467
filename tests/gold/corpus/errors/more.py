# judged: GS18
import asyncio
import contextlib


async def fetch(client):
    try:
        return await client.get()
    # found: GS18
    except:
        pass
    else:
        # fine: GS18
        pass


def close(client):
    # fine: GS18
    with contextlib.suppress(OSError):
        client.close()
    try:
        client.close()
    # fine: GS18
    except OSError:
        client.reset()
    finally:
        # fine: GS18
        pass


class Worker:
    def step(self):
        for _ in range(3):
            try:
                self.go()
            # fine: GS18
            except asyncio.TimeoutError as error:
                self.last = error
            # found: GS18
            except:
                continue
